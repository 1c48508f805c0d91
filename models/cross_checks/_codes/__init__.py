"""What codes on papers mean. Pure functions: a code's text in, a value out; nothing in a code is ever followed."""
