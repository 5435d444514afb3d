// Messages to bytes: always framed anew, always HTTP/1.1.

extension ByteWriter {
    /// Writes the request line for `head`, which was parsed from `source` (RFC 9112 §3).
    ///
    /// A replica is asked in origin form: an absolute form loses its authority, which goes on in
    /// Host. Path and query are not changed.
    package mutating func writeRequestLine(_ head: RequestHead, of source: Span<UInt8>) {
        write(source.part(head.methodRange))
        write(byte: ByteClass.space)
        if head.targetForm == .absolute {
            // `OPTIONS http://host` asks about the whole server (RFC 9112 §3.2.4).
            if head.path.isEmpty {
                write(byte: head.method == .options && head.query == nil ? 0x2a : ByteClass.slash)
            }
            let end = head.target.bounds.upperBound
            write(source.extracting(Int(head.path.start)..<end))
        } else {
            write(source.part(head.target))
        }
        write(" HTTP/1.1\r\n")
    }

    /// Writes a request line with a target of the gateway's own making.
    package mutating func writeRequestLine(method: Span<UInt8>, target: Span<UInt8>) {
        write(method)
        write(byte: ByteClass.space)
        write(target)
        write(" HTTP/1.1\r\n")
    }

    /// Writes a status line with the reason phrase of the standard, if there is one
    /// (RFC 9112 §4).
    package mutating func writeStatusLine(_ status: UInt16) {
        writeStatus(status)
        write(reasonPhrase(status))
        writeLineEnd()
    }

    /// Writes a status line with the reason phrase that a replica gave.
    package mutating func writeStatusLine(_ status: UInt16, reason: Span<UInt8>) {
        writeStatus(status)
        write(reason)
        writeLineEnd()
    }

    /// Writes every field of `table` that may go on, in order and as often as it came
    /// (RFC 9110 §5.3): not the hop-by-hop ones, not those in `except`.
    ///
    /// Each becomes `Name: value`; lines that are written so already are copied together.
    package mutating func forwardFields(
        of source: Span<UInt8>,
        _ table: borrowing FieldTable,
        except: FieldNameSet
    ) {
        var run = 0..<0
        let fields = table.fields
        for i in fields.indices {
            let field = fields[i]
            if field.isHopByHop || except.contains(field.name) { continue }
            guard field.isPlain else {
                writeRun(source, &run)
                write(source.part(field.nameRange))
                write(": ")
                write(source.part(field.valueRange))
                writeLineEnd()
                continue
            }
            if field.start != run.upperBound {
                writeRun(source, &run)
                run = field.start..<field.start
            }
            run = run.lowerBound..<field.plainEnd
        }
        writeRun(source, &run)
    }

    /// Writes one field.
    @inlinable
    @inline(__always)
    package mutating func writeField(_ name: FieldName, _ value: Span<UInt8>) {
        writeFieldStart(name)
        write(value)
        writeLineEnd()
    }

    /// Writes one field with a literal value.
    @inlinable
    @inline(__always)
    package mutating func writeField(_ name: FieldName, _ value: StaticString) {
        writeFieldStart(name)
        write(value)
        writeLineEnd()
    }

    /// Writes one field with a number.
    @inlinable
    @inline(__always)
    package mutating func writeField(_ name: FieldName, decimal value: UInt64) {
        writeFieldStart(name)
        write(decimal: value)
        writeLineEnd()
    }

    /// Writes `Name: `; the value and `writeLineEnd` are to follow.
    @inlinable
    @inline(__always)
    package mutating func writeFieldStart(_ name: FieldName) {
        write(name.spelling)
        write(": ")
    }

    /// Writes what goes before a chunk of `size` bytes, at least one; CRLF goes after it
    /// (RFC 9112 §7.1).
    package mutating func writeChunkHeader(_ size: Int) {
        precondition(size > 0, "a chunk of \(size) bytes would end the body")
        write(hex: UInt64(size))
        writeLineEnd()
    }

    /// Writes the last chunk and `trailers`, whole lines as `ChunkedDecoder.trailers` has them.
    package mutating func writeLastChunk(trailers: [UInt8] = []) {
        write("0\r\n")
        write(trailers.span)
        writeLineEnd()
    }

    private mutating func writeStatus(_ status: UInt16) {
        write("HTTP/1.1 ")
        write(decimal: UInt64(status))
        write(byte: ByteClass.space)
    }

    /// Writes the bytes of `run`, whole lines, and empties it.
    private mutating func writeRun(_ source: Span<UInt8>, _ run: inout Range<Int>) {
        write(source.extracting(run))
        run = 0..<0
    }
}
