// Arguments → command → exit code.

internal import Glibc
internal import Transport

// Before anything opens a descriptor.
StandardStreams.secure()
signal(SIGPIPE, SIG_IGN)

exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
