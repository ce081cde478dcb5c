"""The helpers of torch-rechub."""
