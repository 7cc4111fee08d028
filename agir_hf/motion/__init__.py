"""Motion files and arrays in, ``MotionClip`` out; the geometry between joints and features."""
