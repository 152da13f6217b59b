//go:build race

package deflate

// raced reports that the race detector watches. Compression is a hundred times
// slower then, so that large messages are left to runs without it.
const raced = true
