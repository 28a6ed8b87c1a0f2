//! The command line, and the whole platform on a laptop.
