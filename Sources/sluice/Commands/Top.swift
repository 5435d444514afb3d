// `sluice top`: the gateway's status, again every second.

internal import Dispatch
internal import Glibc
internal import Transport

let topCommand = Command(
    name: "top",
    summary: "watches a gateway in the terminal",
    options: [
        CommandOption(name: "once", summary: "one screen, plain, and out"), adminOption,
        tokenOption,
    ]
) { arguments throws(UsageError) in
    let client = AdminClient(arguments)
    guard !arguments.has("once"), StandardStreams.terminalSize != nil else {
        return printOnce(client)
    }
    return watch(client)
}

private func printOnce(_ client: AdminClient) -> ExitCode {
    do throws(AdminError) {
        let status = try decode(Status.self, client.ask("GET", "/status").body)
        let lines = TopView(status: status).lines(columns: .max, rows: .max)
        say(lines.joined(separator: "\n"))
        return .fine
    } catch {
        complain(error.text)
        return .wrongInput
    }
}

/// Draws until SIGINT or SIGTERM; leaves the terminal as it was.
private func watch(_ client: AdminClient) -> ExitCode {
    let isOver = DispatchSemaphore(value: 0)
    let numbers = [SIGINT, SIGTERM, SIGHUP]
    let signals = Signals(taking: numbers)
    for number in numbers { signals.handle(number) { isOver.signal() } }
    // The other screen, without a cursor; both are undone at the end.
    say("\u{1B}[?1049h\u{1B}[?25l", raw: true)
    defer { say("\u{1B}[?25h\u{1B}[?1049l", raw: true) }
    var previous: Status?
    repeat {
        let size = StandardStreams.terminalSize ?? (columns: 80, rows: 24)
        var lines: [String]
        do throws(AdminError) {
            let status = try decode(Status.self, client.ask("GET", "/status").body)
            lines = TopView(status: status, previous: previous)
                .lines(columns: size.columns, rows: size.rows)
            previous = status
        } catch {
            lines = [error.text]
        }
        // Each line is cleared before it is written; then the rest of the screen is.
        let screen = lines.map { "\u{1B}[2K\($0)" }.joined(separator: "\n")
        say("\u{1B}[H\(screen)\u{1B}[J", raw: true)
    } while isOver.wait(timeout: .now() + 1) == .timedOut
    withExtendedLifetime(signals) {}
    return .fine
}
