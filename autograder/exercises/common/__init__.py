"""What the declarations of several lessons share."""
