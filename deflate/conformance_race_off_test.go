//go:build !race

package deflate

const raced = false
