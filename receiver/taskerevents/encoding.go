package taskerevents

import (
	"net/http"
	"slices"
	"strings"
)

// encodingHeader says how a body is compressed.
const encodingHeader = "Content-Encoding"

// plainEncodings hands on requests with the name of their encoding as confighttp knows it. RFC 9110 lets senders write it in
// any case, and x-gzip for gzip; identity, which is none, some write too.
func plainEncodings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if encoding := req.Header.Get(encodingHeader); encoding != "" {
			switch encoding = strings.ToLower(strings.TrimSpace(encoding)); encoding {
			case "identity":
				req.Header.Del(encodingHeader)
			case "x-gzip":
				req.Header.Set(encodingHeader, "gzip")
			default:
				req.Header.Set(encodingHeader, encoding)
			}
		}
		next.ServeHTTP(w, req)
	})
}

// inflates tells whether bodies of an encoding are taken.
func (r *eventsReceiver) inflates(encoding string) bool {
	algorithms := r.config.ServerConfig.CompressionAlgorithms
	if algorithms == nil {
		algorithms = defaultEncodings[:]
	}
	return encoding == "" || len(algorithms) == 0 || slices.Contains(algorithms, encoding)
}

// defaultEncodings are those of confighttp when compression_algorithms is not set.
var defaultEncodings = [...]string{"gzip", "zstd", "deflate", "zlib", "snappy"}

// encodings lists what inflates takes.
func (r *eventsReceiver) encodings() string {
	algorithms := r.config.ServerConfig.CompressionAlgorithms
	if algorithms == nil {
		algorithms = defaultEncodings[:]
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(algorithms), func(name string) bool { return name == "" }), ", ")
}
