// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// overlays are the folders to apply.
var overlays = []string{"base", "two-tier", "exports", "monitoring"}

// serviceMonitor is the used part of the Prometheus operator's resource.
type serviceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port              string       `json:"port"`
			Interval          string       `json:"interval"`
			HonorLabels       bool         `json:"honorLabels"`
			Relabelings       []relabeling `json:"relabelings"`
			MetricRelabelings []relabeling `json:"metricRelabelings"`
		} `json:"endpoints"`
	} `json:"spec"`
}

type relabeling struct {
	Action       string   `json:"action"`
	SourceLabels []string `json:"sourceLabels"`
	TargetLabel  string   `json:"targetLabel"`
	Regex        string   `json:"regex"`
	Replacement  string   `json:"replacement"`
}

// prometheusRule has the parts that rulefmt does not check; the groups are checked in the rule files.
type prometheusRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Groups []any `json:"groups"`
	} `json:"spec"`
}

// newObject returns an empty object of a kind, of Kubernetes' types.
func newObject(kind string) (any, error) {
	objects := map[string]any{
		"apps/v1 StatefulSet":                     &appsv1.StatefulSet{},
		"apps/v1 DaemonSet":                       &appsv1.DaemonSet{},
		"batch/v1 CronJob":                        &batchv1.CronJob{},
		"v1 ConfigMap":                            &corev1.ConfigMap{},
		"v1 Service":                              &corev1.Service{},
		"v1 ServiceAccount":                       &corev1.ServiceAccount{},
		"v1 PersistentVolumeClaim":                &corev1.PersistentVolumeClaim{},
		"networking.k8s.io/v1 NetworkPolicy":      &networkingv1.NetworkPolicy{},
		"policy/v1 PodDisruptionBudget":           &policyv1.PodDisruptionBudget{},
		"monitoring.coreos.com/v1 ServiceMonitor": &serviceMonitor{},
		"monitoring.coreos.com/v1 PrometheusRule": &prometheusRule{},
	}
	object, known := objects[kind]
	if !known {
		return nil, fmt.Errorf("unknown kind %s", kind)
	}
	return object, nil
}

// decode reads the objects of a file strictly: unknown keys are errors.
func decode(text []byte) ([]any, error) {
	var objects []any
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		object, err := newObject(kind.APIVersion + " " + kind.Kind)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
		objects = append(objects, object)
	}
}

// TestManifests decodes every manifest as Kubernetes does.
func TestManifests(t *testing.T) {
	paths, err := filepath.Glob("kubernetes/*/*.yaml")
	require.NoError(t, err)
	count := 0
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" || strings.HasSuffix(path, ".patch.yaml") {
			continue // TestOverlays builds these
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		objects, err := decode(text)
		if assert.NoError(t, err, path) {
			count += len(objects)
			checkPods(t, path, objects)
		}
	}
	assert.Greater(t, count, 12)
	_, err = decode([]byte("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}\n"))
	assert.ErrorContains(t, err, `unknown field "port"`)
}

// TestOverlays builds the overlays, and checks that their parts are consistent.
func TestOverlays(t *testing.T) {
	kubectl := peer(t, "kubectl")
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			command := exec.Command(kubectl, "kustomize", "kubernetes/"+overlay)
			var complaints bytes.Buffer
			command.Stderr = &complaints
			output, err := command.Output()
			require.NoError(t, err, "%s", complaints.String())
			objects, err := decode(output)
			require.NoError(t, err)
			require.NotEmpty(t, objects)
			checkPods(t, overlay, objects)
			checkReferences(t, overlay, objects)
		})
	}
}

// workload is a pod template with its volume claims.
type workload struct {
	name     string
	labels   map[string]string
	selector *metav1.LabelSelector
	pod      corev1.PodSpec
	claims   []corev1.PersistentVolumeClaim
}

func workloads(objects []any) []workload {
	var all []workload
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.StatefulSet:
			all = append(all, workload{o.Name, o.Spec.Template.Labels, o.Spec.Selector, o.Spec.Template.Spec, o.Spec.VolumeClaimTemplates})
		case *appsv1.DaemonSet:
			all = append(all, workload{o.Name, o.Spec.Template.Labels, o.Spec.Selector, o.Spec.Template.Spec, nil})
		case *batchv1.CronJob:
			template := o.Spec.JobTemplate.Spec.Template
			all = append(all, workload{o.Name, template.Labels, nil, template.Spec, nil})
		}
	}
	return all
}

// checkAdmission checks the pods with Kubernetes' pod security admission. All conform to the restricted standard except the
// agents, whose queue is on the node.
func checkAdmission(t *testing.T, where string, w workload) {
	t.Helper()
	judge, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	level := func(of api.Level) policy.AggregateCheckResult {
		return policy.AggregateCheckResults(judge.EvaluatePod(api.LevelVersion{Level: of, Version: api.LatestVersion()},
			&metav1.ObjectMeta{Labels: w.labels}, &w.pod))
	}
	restricted := level(api.LevelRestricted)
	if slices.ContainsFunc(w.pod.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil }) {
		assert.Contains(t, restricted.ForbiddenDetail(), "hostPath", where)
		assert.True(t, level(api.LevelPrivileged).Allowed, where)
		return
	}
	assert.True(t, restricted.Allowed, "%s: %s", where, restricted.ForbiddenDetail())
}

// checkPods checks that no pod has unnecessary rights, each has limits and probes, and its memory limits are consistent.
func checkPods(t *testing.T, where string, objects []any) {
	t.Helper()
	for _, w := range workloads(objects) {
		name := where + ": " + w.name
		checkAdmission(t, name, w)
		if w.selector != nil {
			assert.True(t, matches(w.selector.MatchLabels, w.labels), "%s selects its own pods", name)
		}
		if assert.NotNil(t, w.pod.SecurityContext, name) {
			assert.True(t, *w.pod.SecurityContext.RunAsNonRoot, name)
			assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, w.pod.SecurityContext.SeccompProfile.Type, name)
		}
		if assert.NotNil(t, w.pod.AutomountServiceAccountToken, name) {
			assert.False(t, *w.pod.AutomountServiceAccountToken, name)
		}
		volumes := map[string]bool{}
		for _, volume := range w.pod.Volumes {
			volumes[volume.Name] = true
		}
		for _, claim := range w.claims {
			volumes[claim.Name] = true
		}
		for _, container := range slices.Concat(w.pod.InitContainers, w.pod.Containers) {
			name := name + ": " + container.Name
			rights := container.SecurityContext
			if assert.NotNil(t, rights, name) {
				assert.True(t, *rights.ReadOnlyRootFilesystem, name)
				assert.False(t, *rights.AllowPrivilegeEscalation, name)
				assert.Equal(t, []corev1.Capability{"ALL"}, rights.Capabilities.Drop, name)
			}
			assert.False(t, container.Resources.Limits.Memory().IsZero(), "%s has no memory limit", name)
			assert.False(t, container.Resources.Requests.Memory().IsZero(), "%s has no memory request", name)
			assert.False(t, container.Resources.Requests.Cpu().IsZero(), "%s has no cpu request", name)
			for _, mount := range container.VolumeMounts {
				assert.True(t, volumes[mount.Name], "%s mounts %s, which is no volume", name, mount.Name)
			}
		}
		for _, container := range w.pod.Containers {
			checkContainer(t, name, container)
		}
	}
}

// checkContainer checks a container that runs one of our binaries.
func checkContainer(t *testing.T, name string, container corev1.Container) {
	t.Helper()
	environment := map[string]corev1.EnvVar{}
	for _, variable := range container.Env {
		environment[variable.Name] = variable
	}
	fourFifths(t, name, container.Resources.Limits.Memory().String(), strings.TrimSuffix(environment["GOMEMLIMIT"].Value, "B"))
	if len(container.Command) > 0 {
		assert.Equal(t, []string{"/usr/bin/taskerotel"}, container.Command, name)
		return
	}
	if assert.NotNil(t, container.ReadinessProbe, name) && assert.NotNil(t, container.LivenessProbe, name) && assert.NotNil(t, container.StartupProbe, name) {
		for _, probe := range []*corev1.Probe{container.ReadinessProbe, container.LivenessProbe, container.StartupProbe} {
			assert.Equal(t, "/health/status", probe.HTTPGet.Path, name)
			assert.Equal(t, "health", probe.HTTPGet.Port.StrVal, name)
		}
	}
	ports := map[int32]bool{}
	for _, port := range container.Ports {
		ports[port.ContainerPort] = true
	}
	// The configurations are those of deploy/otelcol, and their variables and ports are the container's.
	for _, argument := range container.Args {
		file, found := strings.CutPrefix(argument, "--config=/etc/otelcol-tasker/")
		require.True(t, found, "%s: %s", name, argument)
		text, err := os.ReadFile(filepath.Join("otelcol", file))
		require.NoError(t, err, name)
		for _, used := range variable.FindAllStringSubmatch(string(text), -1) {
			// Those with a suitable default may be omitted.
			if slices.Contains(append([]string{"TASKER_MEMORY_LIMIT_MIB", "TASKER_TLS", "TASKER_ZPAGES", "TASKER_PAGES"}, destinationVariables...), used[1]) {
				continue
			}
			assert.Contains(t, environment, used[1], "%s: %s uses it", name, file)
		}
		for _, port := range listening.FindAllStringSubmatch(string(text), -1) {
			assert.True(t, ports[number(t, port[1])], "%s: %s listens on %s, which is no port of the container", name, file, port[1])
		}
	}
	if !slices.Contains(container.Args, "--config=/etc/otelcol-tasker/agent.yaml") {
		values := map[string]string{}
		for variable, of := range environment {
			values[variable] = of.Value
		}
		checkDestinations(t, name, values)
	}
	for _, mount := range container.VolumeMounts {
		if mount.Name == "storage" {
			assert.Equal(t, environment["TASKER_DATA"].Value, mount.MountPath, name)
		}
	}
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

// checkReferences checks that services, policies and budgets select pods, and that everything a pod refers to exists.
func checkReferences(t *testing.T, overlay string, objects []any) {
	t.Helper()
	pods := workloads(objects)
	selects := func(selector map[string]string) bool {
		return slices.ContainsFunc(pods, func(w workload) bool { return matches(selector, w.labels) })
	}
	configs, accounts, claims, services := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]*corev1.Service{}
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.ConfigMap:
			configs[o.Name] = true
		case *corev1.ServiceAccount:
			accounts[o.Name] = true
		case *corev1.PersistentVolumeClaim:
			claims[o.Name] = true
		case *corev1.Service:
			services[o.Name] = o
		}
	}
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.Service:
			assert.True(t, selects(o.Spec.Selector), "%s: service %s selects no pod", overlay, o.Name)
			for _, port := range o.Spec.Ports {
				named := slices.ContainsFunc(pods, func(w workload) bool {
					return matches(o.Spec.Selector, w.labels) && slices.ContainsFunc(w.pod.Containers[0].Ports,
						func(p corev1.ContainerPort) bool { return p.Name == port.TargetPort.StrVal })
				})
				assert.True(t, named, "%s: service %s: no pod has a port %s", overlay, o.Name, port.TargetPort.StrVal)
			}
		case *networkingv1.NetworkPolicy:
			assert.True(t, selects(o.Spec.PodSelector.MatchLabels), "%s: policy %s selects no pod", overlay, o.Name)
			assert.Len(t, o.Spec.PolicyTypes, 2, "%s: policy %s is about both ways", overlay, o.Name)
		case *policyv1.PodDisruptionBudget:
			assert.True(t, selects(o.Spec.Selector.MatchLabels), "%s: budget %s selects no pod", overlay, o.Name)
		case *appsv1.StatefulSet:
			if assert.Contains(t, services, o.Spec.ServiceName, overlay) {
				assert.Equal(t, corev1.ClusterIPNone, services[o.Spec.ServiceName].Spec.ClusterIP, overlay)
			}
		case *batchv1.CronJob:
			assert.Equal(t, batchv1.ForbidConcurrent, o.Spec.ConcurrencyPolicy)
		case *serviceMonitor:
			jobs := []string{}
			for _, endpoint := range o.Spec.Endpoints {
				jobs = append(jobs, endpoint.Relabelings[0].Replacement)
				assert.Equal(t, endpoint.Port == "metrics", endpoint.HonorLabels, "labels of workflows are honoured, and no others")
			}
			assert.Equal(t, []string{"tasker", "otelcol-tasker"}, jobs, "the jobs that the rules name")
		}
	}
	for _, w := range pods {
		for _, volume := range w.pod.Volumes {
			if volume.ConfigMap != nil {
				assert.True(t, configs[volume.ConfigMap.Name], "%s: %s: no ConfigMap %s", overlay, w.name, volume.ConfigMap.Name)
			}
			if volume.PersistentVolumeClaim != nil {
				assert.True(t, claims[volume.PersistentVolumeClaim.ClaimName], "%s: %s", overlay, w.name)
			}
		}
		if w.pod.ServiceAccountName != "" {
			assert.True(t, accounts[w.pod.ServiceAccountName], "%s: %s", overlay, w.name)
		}
	}
}

// TestMonitorSelectsServices checks that the ServiceMonitor selects the services and ports of both deployments.
func TestMonitorSelectsServices(t *testing.T) {
	var monitor *serviceMonitor
	text, err := os.ReadFile("kubernetes/monitoring/servicemonitor.yaml")
	require.NoError(t, err)
	objects, err := decode(text)
	require.NoError(t, err)
	monitor = objects[0].(*serviceMonitor)
	found := map[string]bool{}
	for _, path := range []string{"kubernetes/base/services.yaml", "kubernetes/two-tier/agent.yaml"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		objects, err := decode(text)
		require.NoError(t, err)
		for _, object := range objects {
			if service, is := object.(*corev1.Service); is && matches(monitor.Spec.Selector.MatchLabels, service.Labels) {
				for _, port := range service.Spec.Ports {
					found[service.Name+" "+port.Name] = true
				}
			}
		}
	}
	for _, name := range []string{"otelcol-tasker-pods metrics", "otelcol-tasker-pods own-metrics", "otelcol-tasker-agent own-metrics"} {
		assert.True(t, found[name], name)
	}
}
