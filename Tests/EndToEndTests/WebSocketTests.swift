// A WebSocket through the gateway, both ends in Python.

import Testing

@Suite struct `A WebSocket` {
    private let echo = """
        import asyncio, sys
        from websockets.asyncio.server import serve

        async def answer(socket):
            async for message in socket:
                await socket.send(message)

        async def main():
            async with serve(answer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                print(f"listening at 127.0.0.1:{port}", flush=True)
                await asyncio.get_running_loop().create_future()

        asyncio.run(main())
        """

    private let talk = """
        import asyncio, sys
        from websockets.asyncio.client import connect

        async def main():
            async with connect(sys.argv[1], max_size=None) as socket:
                for message in ["hello", "", "x" * 300_000, bytes(range(256)) * 100]:
                    await socket.send(message)
                    assert await socket.recv() == message
            print("closed", socket.close_code)

        asyncio.run(main())
        """

    @Test func `carries messages of every size both ways, and closes cleanly`() async throws {
        try await onStage { stage in
            let server = try stage.start(
                Places.python,
                [try stage.write(echo, to: "echo.py")],
                named: "echo"
            )
            let address = try await eventually("the echo", within: .seconds(20)) {
                server.outputText.firstMatch(of: /listening at (\S+)\n/).map { String($0.1) }
            }
            let sluice = try await stage.sluice(
                """
                pools: { chat: { replicas: ["\(address)"] } },
                routes: [{ path: "/", pool: "chat" }],
                """
            )
            let (code, output, errors) = try await stage.run(
                Places.python,
                [try stage.write(talk, to: "talk.py"), "ws://\(sluice.address)/chat"]
            )
            #expect(code == 0, "\(errors)")
            #expect(output.contains("closed 1000"))
        }
    }
}
