// The guard against orphans: a small process that outlives the gateway, however that ends, and
// then ends the process groups that are left.

/// The gateway's end of its guard.
///
/// Each process registers its group itself before it becomes the program (see `sluice_spawn`); the
/// group is forgotten here once it is gone. Closing this end, which the kernel does when the
/// gateway is killed, makes the guard act.
final class ProcessGuard {
    let pid: Int32
    private(set) var socket: Descriptor
    private let ended: Descriptor

    /// Starts a guard.
    init() throws(ProcessError) {
        let (pid, socket) = try System.makeGuard()
        self.pid = pid
        self.socket = Descriptor(socket)
        ended = System.pidDescriptor(pid)
    }

    /// Readable when the guard has ended; nil on kernels before 5.3, where a failing start tells.
    var endedDescriptor: Int32? {
        ended.ifAny
    }

    /// Names a group that already runs, after the guard before this one has ended.
    func add(group: Int32) {
        System.tell(socket, group)
    }

    /// The group is gone.
    func forget(group: Int32) {
        System.tell(socket, -group)
    }

    /// Lets the guard act: it ends what it was told of, and then itself.
    func release() {
        socket = Descriptor(-1)
    }

    /// Lets the guard act and collects it.
    ///
    /// With nothing left to end that takes milliseconds, else up to 2 s.
    func end() {
        release()
        if let endedDescriptor {
            var interests = [Interest(endedDescriptor)]
            System.wait(for: &interests, atMost: .seconds(3))
        }
        _ = System.reap(pid)
    }
}
