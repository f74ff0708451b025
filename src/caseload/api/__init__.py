"""How the service is reached: JSON over HTTP. The web framework and the wire format live here."""
