"""Packages of hours at a fixed price, and what is left of those that firms bought beforehand."""
