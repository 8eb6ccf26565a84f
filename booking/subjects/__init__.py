"""A person's own data: handed out whole, or forgotten as far as the law lets go (domain §8)."""
