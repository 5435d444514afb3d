// Finds the name somebody probably meant.

/// The nearest of some names, if one is near enough to be what was meant.
///
/// O(length²) per name. Of equally near names the first in order is taken.
package func nearest(to word: String, among names: some Sequence<String>) -> String? {
    let lowered = Array(word.lowercased().unicodeScalars.prefix(64))
    // A third of the letters may differ: `concurency`, `conurrency`, but not `cookie`.
    let limit = max(1, lowered.count / 3)
    var best: (name: String, distance: Int)?
    for name in names.sorted() {
        let other = Array(name.lowercased().unicodeScalars.prefix(64))
        guard abs(other.count - lowered.count) <= limit else { continue }
        let distance = editDistance(lowered, other)
        if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
}

/// Letters to insert, remove, change, or swap with the next one.
func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let change = left[row] == right[column] ? 0 : 1
            var cost = min(last[column] + change, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1],
                left[row - 1] == right[column]
            {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
