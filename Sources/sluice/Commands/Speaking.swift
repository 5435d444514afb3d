// What commands say on standard output and standard error.

internal import Transport

/// Says something on standard output.
func say(_ text: String, raw: Bool = false) {
    _ = StandardStreams.write(Array((raw ? text : "\(text)\n").utf8), to: StandardStreams.output)
}

/// Says something on standard error; without `raw`, as a line that names the program.
func complain(_ text: String, raw: Bool = false) {
    let line = raw ? text : "sluice: \(text)\n"
    _ = StandardStreams.write(Array(line.utf8), to: StandardStreams.error)
}
