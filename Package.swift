// swift-tools-version: 6.2
import PackageDescription

/// The settings of every target: see CONTRIBUTING.md, "Swift here".
///
/// Each access to a stored property of a class is checked for overlapping ones in debug builds, and
/// so by every test; in release builds that would take a third of a request's instructions
/// (docs/decisions, 9).
let strict: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// What the test targets use: the same language, without the unsafe marks.
let tests: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"])
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        .target(name: "HTTPWire", swiftSettings: strict),
        .target(name: "Balancing", swiftSettings: strict),
        .target(name: "Configuration", swiftSettings: strict),
        .target(name: "Telemetry", swiftSettings: strict),
        .target(name: "Kubernetes", swiftSettings: strict),
        .target(name: "Processes", dependencies: ["CLinux"], swiftSettings: strict),
        .target(
            name: "Transport",
            dependencies: ["CLinux", "COpenSSL"],
            swiftSettings: strict
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "HTTPWire", "Balancing", "Configuration", "Telemetry", "Kubernetes", "Processes",
                "Transport",
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "sluice",
            dependencies: ["Gateway", "Configuration", "Telemetry", "Transport"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "StubReplica",
            dependencies: ["Transport", "HTTPWire"],
            swiftSettings: strict
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "Transport", "HTTPWire", "Balancing", "Configuration", "Telemetry", "Gateway",
            ],
            path: "Tests/Simulation",
            swiftSettings: tests
        ),
        .target(name: "Certificates", path: "Tests/Certificates", swiftSettings: tests),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire"], swiftSettings: tests),
        .testTarget(name: "BalancingTests", dependencies: ["Balancing"], swiftSettings: tests),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["Configuration"],
            exclude: ["Golden"],
            swiftSettings: tests
        ),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: tests),
        .testTarget(name: "KubernetesTests", dependencies: ["Kubernetes"], swiftSettings: tests),
        .testTarget(name: "ProcessesTests", dependencies: ["Processes"], swiftSettings: tests),
        .testTarget(
            name: "TransportTests",
            dependencies: ["Transport", "Simulation", "Certificates"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["sluice", "StubReplica", "Certificates"],
            exclude: ["kubernetes_api.py"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "Simulation", "Certificates"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "sluiceTests",
            dependencies: [
                "sluice", "Gateway", "Balancing", "Configuration", "Telemetry", "Transport",
            ],
            swiftSettings: tests
        ),
        .testTarget(name: "TidyTests", swiftSettings: tests),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "Gateway", "Balancing", "Configuration", "Telemetry", "Transport",
            ],
            swiftSettings: tests
        ),
    ],
    swiftLanguageModes: [.v6]
)
