"""One piece of work, whoever asks for it: its transaction, its identity, its retries and its entry."""
