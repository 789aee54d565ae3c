//go:build unix && !race

package testproc

const raceDetector = false
