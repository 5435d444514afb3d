// A stand-in model server for bench and tests, and the load that is put on a gateway.

internal import FoundationEssentials
internal import Glibc

let usage = """
    usage: stub-replica [OPTION VALUE]…         serve until killed
           stub-replica load ADDRESS [OPTION VALUE]…   put load on a gateway

    Serving: --port N (or PORT; 0: any)  --host 127.0.0.1  --concurrency N (0: no limit)
      --startup-delay 2s, and how every request is answered unless its query says otherwise:
      --latency 5ms|exp:5ms|lognormal:5ms,0.5  --status 200  --bytes N
      --tokens N  --interval 20ms  --fault NAME  --echo fields  --hold true
      --finish yes (works on although the client has left)  --hash no (of what it is sent)
    It says what it has seen at /stats, lets go what it holds at /release, and answers every request
    as the query of /behave says from then on.
    Load: --phases 100:5s,1000:20s (requests/s:time)  --arrivals constant|poisson  --seed N
      --path /predict  --method POST  --bytes N  --timeout 10s  --connections N
      --each (a line per request)  --end-when-refused (the client goes elsewhere)
      --trace FILE (instead of phases: a line per request, when it is due in ms and its path)
      --field "Name: value"  --log FILE (afterwards, a line per request, times in µs)

    """

do throws(UsageError) {
    var arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "load" {
        arguments = arguments.dropFirst()
        try LoadPlan(arguments).start()
    } else {
        let port = ProcessInfo.processInfo.environment["PORT"]
        try ReplicaOptions(arguments, port: port).start()
    }
} catch {
    print("stub-replica: \(error.text)\n\(usage)", terminator: "")
    exit(2)
}
while true { pause() }
