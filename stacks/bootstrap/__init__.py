"""What an account needs once, before any stack of the application."""
