"""Scripts of other libraries run here with their imports changed."""
