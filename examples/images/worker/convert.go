package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	maxPicture   = 64 << 20 // bytes that convert may write
	maxComplaint = 4 << 10  // bytes of what it says about an error
	killDelay    = 2 * time.Second
)

// Errors of a job, besides those of the image.
var (
	errTimeout = errors.New("the job took too long")
	errGone    = errors.New("the client is gone, or the worker ends")
	errTooBig  = errors.New("the result is too large")
)

func statusOf(err error) int {
	switch {
	case errors.Is(err, errTimeout), errors.Is(err, errGone):
		return http.StatusServiceUnavailable
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

// findConvert returns the path of ImageMagick's convert: the one given, else the first in
// PATH. Windows has another program of that name, so what the program says of itself
// counts, not its name.
func findConvert(ctx context.Context, given string) (string, error) {
	names := []string{"convert", "magick", "convert-im6.q16"}
	if given != "" {
		names = []string{given}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, err := exec.CommandContext(limited, path, "-version").Output()
		cancel()
		if err == nil && bytes.HasPrefix(out, []byte("Version: ImageMagick")) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no ImageMagick found as %s; on Debian: apt-get install imagemagick", strings.Join(names, ", "))
}

// sniff returns ImageMagick's name of an image's format, or nothing for what the worker
// does not take. ImageMagick never guesses here: it would also read formats that fetch
// files and run programs.
func sniff(image []byte) string {
	switch http.DetectContentType(image) {
	case "image/png":
		return "png"
	case "image/jpeg":
		return "jpeg"
	case "image/gif":
		return "gif"
	case "image/webp":
		return "webp"
	}
	return ""
}

// transform runs convert. It ends when the context does, and takes convert with it.
func (w *worker) transform(ctx context.Context, image []byte, format string, operation []string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	seconds := strconv.Itoa(int(w.timeout/time.Second) + 1)
	args := []string{ // bounds for images that are small and unfold to something huge
		"-limit", "thread", "1", "-limit", "time", seconds, "-limit", "memory", "256MiB", "-limit", "map", "256MiB",
		"-limit", "disk", "512MiB", "-limit", "area", "64MP", "-limit", "width", "16KP", "-limit", "height", "16KP",
		format + ":-[0]", // the first picture of several
	}
	cmd := exec.CommandContext(limited, w.convert, append(append(args, operation...), "png:-")...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TMPDIR=" + os.TempDir()}
	cmd.WaitDelay = killDelay
	cmd.Stdin = bytes.NewReader(image)
	picture, complaint := &bounded{limit: maxPicture}, &bounded{limit: maxComplaint, drop: true}
	cmd.Stdout, cmd.Stderr = picture, complaint
	err := cmd.Run()
	switch {
	case err == nil:
		return picture.kept.Bytes(), nil
	case ctx.Err() != nil:
		return nil, errGone
	case limited.Err() != nil:
		return nil, fmt.Errorf("%w: %v", errTimeout, w.timeout)
	case picture.full:
		return nil, errTooBig
	}
	line, _, _ := strings.Cut(complaint.kept.String(), "\n")
	return nil, fmt.Errorf("convert cannot use the image: %w: %s", err, line)
}

// bounded keeps so many bytes; more are dropped or an error, which ends convert. Its
// buffer is not embedded: io.Copy would use the buffer's ReadFrom, which knows no bound.
type bounded struct {
	kept  bytes.Buffer
	limit int
	drop  bool
	full  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) <= b.limit {
		return b.kept.Write(p)
	}
	b.full = true
	if b.drop {
		return len(p), nil
	}
	return 0, errTooBig
}
