"""What `make bench` runs: the service under load beside what PostgreSQL alone can do, in one run on one machine."""
