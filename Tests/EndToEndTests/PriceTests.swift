// What a request costs in calls and allocations: counted, never timed.

import Foundation
import Glibc
import Testing

/// Thresholds: bench/thresholds.json, for the debug build that the tests run.
@Suite struct `The price of a request` {
    /// One kind of request: what the load is told, and how many come a second.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let options: [String]
        let rate: Int
        var testDescription: String { name }
    }

    static let kinds = [
        Kind(name: "small", options: ["--bytes", "200"], rate: 150),
        Kind(
            name: "64 KiB answer",
            options: ["--bytes", "200", "--path", "/predict?bytes=65536"],
            rate: 150
        ),
        Kind(name: "1 MiB body", options: ["--bytes", "1048576"], rate: 40),
        Kind(
            name: "new connection",
            options: ["--bytes", "200", "--field", "Connection: close"],
            rate: 150
        ),
    ]

    @Test(arguments: kinds)
    func `is no more than its threshold`(kind: Kind) async throws {
        let file = Places.repository.appendingPathComponent("bench/thresholds.json")
        let thresholds = try JSONDecoder().decode(
            [String: [String: Double]].self,
            from: try Data(contentsOf: file)
        )
        let allowed = try #require(thresholds[kind.name])
        try await onStage { stage in
            let counter = try await stage.counter()
            let few = try await count(kind, seconds: 0.5, counter, on: stage)
            let many = try await count(kind, seconds: 2, counter, on: stage)
            // What happens once, at the start and at the end, falls out of the difference.
            let requests = Double(many.requests - few.requests)
            #expect(requests > 0)
            for (name, threshold) in allowed.sorted(by: { $0.key < $1.key }) {
                let price = (many[name] - few[name]) / requests
                #expect(price <= threshold, "\(kind.name): \(price) × \(name)")
                // One that is far too high guards nothing.
                #expect(price >= threshold / 4 - 0.5, "\(kind.name): only \(price) × \(name)")
            }
        }
    }

    /// What a gateway did for so many requests.
    private struct Counts {
        let requests: Int
        let values: [String: Double]
        subscript(name: String) -> Double { values[name, default: 0] }
    }

    private func count(
        _ kind: Kind,
        seconds: Double,
        _ counter: String,
        on stage: Stage
    ) async throws -> Counts {
        let stub = try await stage.stub("--hash", "no")
        let report = stage.folder.appendingPathComponent("counts-\(UUID().uuidString)").path
        let sluice = try await stage.sluice(
            Stage.parts(before: [stub], pool: #"keepAlive: "60s","#),
            settings: """
                loops: 1, accessLog: { enabled: false },
                shutdown: { drainDelay: "0s", grace: "5s" },
                """,
            environment: ["LD_PRELOAD": counter, "COUNTS_FILE": report]
        )
        try await sluice.waitsForReady(1)
        let load = RunningLoad(
            child: try stage.start(
                Places.stubReplica,
                [
                    "load", sluice.address, "--connections", "1",
                    "--phases", "\(kind.rate):\(Int(seconds * 1000))ms",
                ] + kind.options,
                named: "load"
            )
        )
        let result = try await load.result()
        // One connection may not keep up with what is due; what was not sent costs nothing.
        #expect(result.answered > 0, "\(result)")
        sluice.child.send(SIGTERM)
        #expect(try await sluice.child.exitCode() == 0)
        var values: [String: Double] = [:]
        for line in try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: " ")
            values[String(parts[0])] = Double(parts[1])
        }
        return Counts(requests: result.answered, values: values)
    }
}

extension Stage {
    /// Builds what counts the calls of a program it is loaded into; returns its file.
    fileprivate func counter() async throws -> String {
        let source = try write(counterSource, to: "counter.c")
        let library = folder.appendingPathComponent("counter.so").path
        let (code, _, errors) = try await run(
            "clang",
            ["-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]
        )
        try #require(code == 0, "\(errors)")
        return library
    }
}

/// Stands before the C library's functions, counts, and writes the counts down at the end.
private let counterSource = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <unistd.h>

    enum { ALLOCATE, RECEIVE, SEND, POLL, SPLICE, OTHER, COUNT };
    static const char *names[] = {"allocate", "receive", "send", "poll", "splice", "other"};
    static unsigned long counts[COUNT];
    static void count(int what) { __atomic_add_fetch(&counts[what], 1, __ATOMIC_RELAXED); }

    void *__libc_malloc(size_t);
    void *__libc_calloc(size_t, size_t);
    void *__libc_realloc(void *, size_t);
    void *malloc(size_t size) { count(ALLOCATE); return __libc_malloc(size); }
    void *calloc(size_t n, size_t size) { count(ALLOCATE); return __libc_calloc(n, size); }
    void *realloc(void *old, size_t size) { count(ALLOCATE); return __libc_realloc(old, size); }

    #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
    #define STAND_BEFORE(what, result, name, parameters, arguments) \\
        result name parameters { \\
            static __typeof__(&name) next; \\
            if (!next) next = NEXT(name); \\
            count(what); \\
            return next arguments; \\
        }
    STAND_BEFORE(RECEIVE, ssize_t, recv, (int f, void *b, size_t n, int o), (f, b, n, o))
    STAND_BEFORE(SEND, ssize_t, send, (int f, const void *b, size_t n, int o), (f, b, n, o))
    STAND_BEFORE(POLL, int, epoll_wait, (int f, struct epoll_event *e, int n, int t), (f, e, n, t))
    STAND_BEFORE(SPLICE, ssize_t, splice,
        (int f, __off64_t *o, int t, __off64_t *p, size_t n, unsigned g), (f, o, t, p, n, g))
    STAND_BEFORE(OTHER, int, accept4,
        (int f, struct sockaddr *a, socklen_t *n, int g), (f, a, n, g))
    STAND_BEFORE(OTHER, int, connect, (int f, const struct sockaddr *a, socklen_t n), (f, a, n))
    STAND_BEFORE(OTHER, int, socket, (int d, int t, int p), (d, t, p))
    STAND_BEFORE(OTHER, int, shutdown, (int f, int h), (f, h))
    STAND_BEFORE(OTHER, int, epoll_ctl, (int e, int o, int f, struct epoll_event *v), (e, o, f, v))
    STAND_BEFORE(OTHER, int, setsockopt,
        (int f, int l, int o, const void *v, socklen_t n), (f, l, o, v, n))
    STAND_BEFORE(OTHER, int, getsockopt,
        (int f, int l, int o, void *v, socklen_t *n), (f, l, o, v, n))

    __attribute__((destructor)) static void tell(void) {
        const char *path = getenv("COUNTS_FILE");
        FILE *file = path ? fopen(path, "w") : 0;
        if (!file) return;
        for (int i = 0; i < COUNT; i++) fprintf(file, "%s %lu\\n", names[i], counts[i]);
        fclose(file);
    }
    """
