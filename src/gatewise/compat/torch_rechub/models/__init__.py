"""The models of torch-rechub."""
