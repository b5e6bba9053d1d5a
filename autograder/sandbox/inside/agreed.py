"""What the grader and the processes inside the sandbox have to agree on; the grader imports it too."""

MIB = 1 << 20
CHANNEL = 3  # the descriptor on which a worker is asked; those of the copies that it puts aside follow
MAX_RESULT = 32 * MIB  # bytes of frames that one probe may send
WALL_PER_CPU = 2  # seconds that a probe may take, for each second of CPU time that it may use
MAX_PRINTED = 20_000  # characters kept of what one cell prints
SMALL_FOLDERS = (
    ("/tmp", 64 * MIB),
    ("/home/student", 64 * MIB),
    ("/dev/shm", 16 * MIB),
)  # folder in memory, bytes
