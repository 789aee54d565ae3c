//go:build unfenced

package control

const fenced = false
