//! Development and test only: real servers supervised, stand-ins for what cannot be had.
