"""The basic parts of torch-rechub."""
