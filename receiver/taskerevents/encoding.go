// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// encodingHeader names the compression of a body.
const encodingHeader = "Content-Encoding"

// plainEncodings normalizes the name of a request's encoding for confighttp. RFC 9110 allows any case, and x-gzip for gzip; some
// senders write identity, which means uncompressed.
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

// inflates reports whether bodies of an encoding are accepted; the empty name means uncompressed.
func (r *eventsReceiver) inflates(encoding string) bool {
	if algorithms := r.config.ServerConfig.CompressionAlgorithms; algorithms != nil {
		return slices.Contains(algorithms, encoding) || encoding == "" && len(algorithms) == 0
	}
	return slices.Contains(defaultEncodings[:], encoding)
}

// defaultEncodings are those of confighttp when compression_algorithms is not set.
var defaultEncodings = [...]string{"", "gzip", "zstd", "deflate", "zlib", "snappy"}

// knownEncodings are all that confighttp can inflate.
var knownEncodings = [...]string{"", "gzip", "zstd", "deflate", "zlib", "snappy", "x-snappy-framed", "lz4"}

// encodings lists the encodings that inflates accepts.
func (r *eventsReceiver) encodings() string {
	algorithms := r.config.ServerConfig.CompressionAlgorithms
	if algorithms == nil {
		algorithms = defaultEncodings[:]
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(algorithms), func(name string) bool { return name == "" }), ", ")
}

// refuseEncoding answers a request whose body cannot be inflated.
func (r *eventsReceiver) refuseEncoding(w http.ResponseWriter, req *http.Request) {
	taken, encoding := r.encodings(), req.Header.Get(encodingHeader)
	message := fmt.Sprintf("the content encoding %q is not supported: send the body as it is", encoding)
	switch {
	case encoding == "":
		message = "a body must be compressed: send it as " + taken
	case taken != "" && r.inflates(""):
		message += ", or as " + taken
	case taken != "":
		message = fmt.Sprintf("the content encoding %q is not supported: send the body as %s", encoding, taken)
	}
	w.Header().Set("Accept-Encoding", cmp.Or(taken, "identity"))
	r.answerUndecoded(w, req, message, http.StatusUnsupportedMediaType)
}
