//! A picture store of the program's own drawing, to try everything on.
