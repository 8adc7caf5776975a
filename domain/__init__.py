"""Values and errors of HEALTH CONNECT: standard library and numpy only, no framework, no input or output."""
