// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// helmValues is the used part of the chart's values.
type helmValues struct {
	NameOverride     string `json:"nameOverride"`
	FullnameOverride string `json:"fullnameOverride"`
	Mode             string `json:"mode"`
	ReplicaCount     int32  `json:"replicaCount"`
	Image            struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	} `json:"image"`
	ConfigMap struct {
		Create bool `json:"create"`
	} `json:"configMap"`
	Command struct {
		Name      string   `json:"name"`
		ExtraArgs []string `json:"extraArgs"`
	} `json:"command"`
	ExtraEnvs     []corev1.EnvVar             `json:"extraEnvs"`
	UseGOMEMLIMIT bool                        `json:"useGOMEMLIMIT"`
	Resources     corev1.ResourceRequirements `json:"resources"`
	StatefulSet   struct {
		PodManagementPolicy  appsv1.PodManagementPolicyType `json:"podManagementPolicy"`
		VolumeClaimTemplates []corev1.PersistentVolumeClaim `json:"volumeClaimTemplates"`
	} `json:"statefulset"`
	ExtraVolumeMounts []corev1.VolumeMount `json:"extraVolumeMounts"`
	Ports             map[string]struct {
		Enabled       bool    `json:"enabled"`
		ContainerPort int32   `json:"containerPort"`
		ServicePort   int32   `json:"servicePort"`
		Protocol      string  `json:"protocol"`
		AppProtocol   *string `json:"appProtocol"`
	} `json:"ports"`
	StartupProbe   *corev1.Probe `json:"startupProbe"`
	ReadinessProbe *corev1.Probe `json:"readinessProbe"`
	LivenessProbe  *corev1.Probe `json:"livenessProbe"`
	ServiceAccount struct {
		AutomountServiceAccountToken *bool `json:"automountServiceAccountToken"`
	} `json:"serviceAccount"`
	PodSecurityContext *corev1.PodSecurityContext `json:"podSecurityContext"`
	SecurityContext    *corev1.SecurityContext    `json:"securityContext"`
	NetworkPolicy      struct {
		Enabled           bool                                    `json:"enabled"`
		AllowIngressFrom  []networkingv1.NetworkPolicyPeer        `json:"allowIngressFrom"`
		ExtraIngressRules []networkingv1.NetworkPolicyIngressRule `json:"extraIngressRules"`
		EgressRules       []networkingv1.NetworkPolicyEgressRule  `json:"egressRules"`
	} `json:"networkPolicy"`
	ServiceMonitor struct {
		Enabled          bool             `json:"enabled"`
		MetricsEndpoints []map[string]any `json:"metricsEndpoints"`
	} `json:"serviceMonitor"`
}

// objectIn returns the object of a type in a file.
func objectIn[T any](t *testing.T, path string) *T {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	objects, err := decode(text)
	require.NoError(t, err)
	for _, object := range objects {
		if found, is := object.(*T); is {
			return found
		}
	}
	require.Fail(t, path+" has no such object")
	return nil
}

// TestHelmValues checks that the values for the chart match the manifests.
func TestHelmValues(t *testing.T) {
	text, err := os.ReadFile("helm/values.yaml")
	require.NoError(t, err)
	var values helmValues
	require.NoError(t, yaml.UnmarshalStrict(text, &values))

	set := objectIn[appsv1.StatefulSet](t, "kubernetes/base/statefulset.yaml")
	pod := set.Spec.Template.Spec
	container := pod.Containers[0]
	assert.Equal(t, set.Name, values.FullnameOverride)
	assert.Equal(t, set.Labels["app.kubernetes.io/name"], values.NameOverride)
	assert.Equal(t, "statefulset", values.Mode)
	assert.Equal(t, *set.Spec.Replicas, values.ReplicaCount)
	assert.Equal(t, set.Spec.PodManagementPolicy, values.StatefulSet.PodManagementPolicy)
	assert.Equal(t, set.Spec.VolumeClaimTemplates, values.StatefulSet.VolumeClaimTemplates)
	assert.Equal(t, pod.SecurityContext, values.PodSecurityContext)
	assert.Equal(t, pod.AutomountServiceAccountToken, values.ServiceAccount.AutomountServiceAccountToken)
	assert.Equal(t, container.SecurityContext, values.SecurityContext)
	assert.Equal(t, container.Resources, values.Resources)

	kustomization, err := os.ReadFile("kubernetes/base/kustomization.yaml")
	require.NoError(t, err)
	assert.Contains(t, string(kustomization), "newName: "+values.Image.Repository+"\n")
	assert.Contains(t, string(kustomization), "newTag: "+values.Image.Tag+"\n")

	// The image contains the configuration where the manifests mount it; the chart's must not be merged with it.
	dockerfile, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	assert.Contains(t, string(dockerfile), `ENTRYPOINT ["/`+values.Command.Name+`"]`)
	assert.Equal(t, container.Args, values.Command.ExtraArgs)
	for _, argument := range values.Command.ExtraArgs {
		assert.Contains(t, string(dockerfile), "deploy/otelcol/"+filepath.Base(strings.TrimPrefix(argument, "--config=")))
	}
	assert.False(t, values.ConfigMap.Create)

	// The chart derives GOMEMLIMIT from the limit.
	assert.True(t, values.UseGOMEMLIMIT)
	var env []corev1.EnvVar
	for _, variable := range container.Env {
		if variable.Name != "GOMEMLIMIT" {
			env = append(env, variable)
		}
	}
	assert.Equal(t, env, values.ExtraEnvs)
	var mounts []corev1.VolumeMount
	for _, mount := range container.VolumeMounts {
		if mount.Name != "config" {
			mounts = append(mounts, mount)
		}
	}
	assert.Equal(t, mounts, values.ExtraVolumeMounts)

	numbers := map[string]int32{}
	for _, port := range container.Ports {
		numbers[port.Name] = port.ContainerPort
	}
	served := map[int32]bool{}
	for name, port := range values.Ports {
		if port.Enabled {
			assert.Equal(t, port.ContainerPort, port.ServicePort, name)
			assert.Equal(t, "TCP", port.Protocol, name)
			served[port.ContainerPort] = true
		}
	}
	for name, number := range numbers {
		assert.Equal(t, name != "health", served[number], "%s %d", name, number)
	}
	assert.Len(t, served, len(numbers)-1)
	for _, service := range objectIn[corev1.Service](t, "kubernetes/base/services.yaml").Spec.Ports {
		for _, port := range values.Ports {
			if port.ServicePort == service.Port {
				assert.Equal(t, service.AppProtocol, port.AppProtocol, service.Name)
			}
		}
	}

	for name, probes := range map[string][2]*corev1.Probe{
		"startup": {container.StartupProbe, values.StartupProbe}, "readiness": {container.ReadinessProbe, values.ReadinessProbe}, "liveness": {container.LivenessProbe, values.LivenessProbe},
	} {
		want := probes[0].DeepCopy()
		want.HTTPGet.Port.Type, want.HTTPGet.Port.StrVal, want.HTTPGet.Port.IntVal = 0, "", numbers["health"]
		assert.Equal(t, want, probes[1], name)
	}

	policy := objectIn[networkingv1.NetworkPolicy](t, "kubernetes/base/networkpolicy.yaml").Spec
	assert.True(t, values.NetworkPolicy.Enabled)
	assert.Equal(t, policy.Ingress[0].From, values.NetworkPolicy.AllowIngressFrom)
	require.Len(t, values.NetworkPolicy.ExtraIngressRules, 1)
	assert.Equal(t, policy.Ingress[1].From[:1], values.NetworkPolicy.ExtraIngressRules[0].From, "exports are not the chart's")
	assert.Equal(t, policy.Ingress[1].Ports, values.NetworkPolicy.ExtraIngressRules[0].Ports)
	assert.Equal(t, policy.Egress, values.NetworkPolicy.EgressRules)

	var monitor struct {
		Spec struct {
			Endpoints []map[string]any `json:"endpoints"`
		} `json:"spec"`
	}
	text, err = os.ReadFile("kubernetes/monitoring/servicemonitor.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &monitor))
	assert.Equal(t, monitor.Spec.Endpoints, values.ServiceMonitor.MetricsEndpoints)
}
