package dash

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed static
var static embed.FS

// file is one embedded file. It is checked for a newer version at each use, because its
// path stays the same when the program is updated.
type file struct {
	data []byte
	mime string
	etag string
}

// files returns the embedded files by the pattern of their path.
func files() map[string]file {
	entries, err := static.ReadDir("static")
	if err != nil {
		panic("dash: the embedded files are missing: " + err.Error()) // a broken build
	}
	all := make(map[string]file, len(entries))
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic("dash: an embedded file is missing: " + err.Error())
		}
		sum := sha256.Sum256(data)
		f := file{
			data: data,
			mime: typeOf(e.Name()),
			etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		}
		if e.Name() == "index.html" {
			all["/{$}"] = f
			continue
		}
		all["/static/"+e.Name()] = f
	}
	return all
}

// typeOf returns a name's media type. Scripts are named here because a host's own table
// of types may call them something that a browser refuses.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
