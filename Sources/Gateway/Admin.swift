// The admin address: life, readiness, metrics, status and the commands.

internal import HTTPWire
internal import Telemetry
internal import Transport

extension Lane {
    /// Answers one request to the admin address.
    func serveAdmin(
        _ exchange: Exchange,
        to client: ClientConnection
    ) async throws(ExchangeError) {
        throw .noRoute
    }
}
