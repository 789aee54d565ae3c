//go:build !unfenced

package control

// fenced: a controller acts only in a term that is certain, and waits for those who may hold
// slots. The build tag unfenced leaves that out, so that a test can show what it is for.
const fenced = true
