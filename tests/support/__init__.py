"""What tests share: builders, a fake browser, real counterparts."""
