// What a reload cannot change, said instead of silently ignored.

internal import Configuration

/// One line for each setting that differs from what the process started with and is read only
/// then.
func restartNeeds(
    from started: Configuration,
    to wanted: Configuration
) -> [String] {
    var names: [String] = []
    // What stands at an address may change, the addresses may not.
    let addresses = (started.listeners.map(\.address), wanted.listeners.map(\.address))
    if addresses.0 != addresses.1 { names.append("listeners") }
    if started.admin.address != wanted.admin.address { names.append("admin.address") }
    if started.ingress != wanted.ingress { names.append("ingress") }
    if started.externalMetrics != wanted.externalMetrics { names.append("externalMetrics") }
    if started.loops != wanted.loops { names.append("loops") }
    let (old, new) = (started.limits, wanted.limits)
    if old.bufferBytes != new.bufferBytes { names.append("limits.bufferBytes") }
    if new.headBytes > old.headBytes { names.append("limits.headBytes") }
    if new.fields > old.fields { names.append("limits.fields") }
    if started.accessLog.bufferBytes != wanted.accessLog.bufferBytes {
        names.append("accessLog.bufferBytes")
    }
    return names.map { "\($0): needs a restart to take effect" }
}
