package regular

// Flags are none: Windows has no such flags, nor pipes in its file system.
const Flags = 0
