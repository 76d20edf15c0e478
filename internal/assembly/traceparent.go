package assembly

import "encoding/hex"

// parseTraceparent reads the header of W3C Trace Context, version 00: 00-TRACE-SPAN-FLAGS.
func parseTraceparent(text string) (trace TraceID, span SpanID, ok bool) {
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return trace, span, false
	}
	if _, err := hex.Decode(trace[:], []byte(text[3:35])); err != nil {
		return trace, span, false
	}
	if _, err := hex.Decode(span[:], []byte(text[36:52])); err != nil {
		return trace, span, false
	}
	return trace, span, trace != TraceID{} && span != SpanID{}
}
