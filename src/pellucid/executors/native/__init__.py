"""Whole steps in C++: a plan is compiled from a stack, then run by the native module."""
