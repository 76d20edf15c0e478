package streamtest
import ( _ "github.com/prometheus/prometheus/model/textparse"
 _ "github.com/prometheus/common/expfmt"
 _ "go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
 _ "google.golang.org/grpc")
