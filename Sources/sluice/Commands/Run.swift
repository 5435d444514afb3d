// `sluice run -- COMMAND…`: a gateway without a file, in front of processes it starts itself.

internal import Configuration

let runCommand = Command(
    name: "run",
    summary: "starts replicas of a command as local processes and serves them",
    takesRest: true,
    options: [
        CommandOption(
            name: "replicas",
            value: "NUMBER",
            summary: "fewest processes",
            standard: "3"
        ),
        CommandOption(
            name: "max",
            value: "NUMBER",
            summary: "most processes, started as load asks for them",
            standard: "10, or replicas if more"
        ),
        CommandOption(
            name: "concurrency",
            value: "NUMBER",
            summary: "most requests in flight on one process",
            standard: "1"
        ),
        CommandOption(
            name: "health",
            value: "PATH",
            summary: "what a healthy process answers with 2xx",
            standard: "a connection is enough"
        ),
        CommandOption(
            name: "host",
            value: "ADDRESS",
            summary: "where to listen",
            standard: "0.0.0.0"
        ),
        CommandOption(name: "port", value: "NUMBER", summary: "the port", standard: "8080"),
        CommandOption(
            name: "admin",
            value: "HOST:PORT",
            summary: "the admin address",
            standard: standardAdminAddress
        ),
        tokenOption,
    ],
    details: """
        Each process finds its port in the variable PORT; `$PORT` in an argument is replaced by it.
        Processes that end are started again. All paths lead to them.
        """
) { arguments throws(UsageError) in
    var serve = Serve(try runConfiguration(arguments))
    return serve.run()
}

/// The configuration that the options of `run` describe.
func runConfiguration(_ arguments: Arguments) throws(UsageError) -> Configuration {
    let replicas = try arguments.number("replicas", in: 0...1000, else: 3)
    var processes = Configuration.Processes(command: arguments.rest)
    processes.min = replicas
    processes.max = try arguments.number(
        "max",
        in: max(1, replicas)...1000,
        else: max(10, replicas)
    )
    var settings = Configuration.PoolSettings()
    settings.concurrency = try arguments.number("concurrency", in: 1...10_000, else: 1)
    settings.health.path = try healthPath(arguments)

    var configuration = Configuration()
    configuration.pools = [
        Configuration.Pool(name: "default", source: .processes(processes), settings: settings)
    ]
    configuration.routes = [Configuration.Route(name: "/", pool: "default")]
    let host = arguments.options["host"] ?? "0.0.0.0"
    let port = try arguments.number("port", in: 0...65_535, else: 8080)
    guard AddressRange(parsing: host) != nil, !host.contains("/") else {
        throw UsageError(text: "--host takes an IP address of this machine, found \(host)")
    }
    configuration.listeners = [Configuration.Listener(address: Address(host: host, port: port))]
    configuration.admin.token = adminToken(arguments)
    configuration.admin.address = try adminAddress(arguments)
    // Nobody watches `/ready` of a gateway that was started by hand.
    configuration.shutdown.drainDelay = .zero
    return configuration
}

private func healthPath(_ arguments: Arguments) throws(UsageError) -> String? {
    guard let path = arguments.options["health"] else { return nil }
    guard path.hasPrefix("/"), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
        throw UsageError(text: "--health takes a path such as /health, found \(path)")
    }
    return path
}

private func adminAddress(_ arguments: Arguments) throws(UsageError) -> Address {
    let text = arguments.options["admin"] ?? standardAdminAddress
    guard let (host, port) = splitAddress(text),
        AddressRange(parsing: host == "localhost" ? "127.0.0.1" : host) != nil
    else {
        throw UsageError(text: "--admin takes an address such as 127.0.0.1:9900, found \(text)")
    }
    let address = Address(host: host == "localhost" ? "127.0.0.1" : host, port: port)
    if !address.isLoopback && adminToken(arguments) == nil {
        throw UsageError(text: "an admin address beyond this machine needs a --token")
    }
    return address
}
