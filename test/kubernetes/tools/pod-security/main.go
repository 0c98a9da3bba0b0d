// Command pod-security checks the pods of the manifests on standard input against the Pod Security Standard "restricted", with
// the code of the API server's admission. It exits with 1 if a pod violates the standard, and with 2 if a manifest is invalid.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	documents "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// Path of the pod in each kind that the API server checks.
var pathsOfPods = map[string][]string{
	"Pod":                   {},
	"PodTemplate":           {"template"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template"},
	"DaemonSet":             {"spec", "template"},
	"Deployment":            {"spec", "template"},
	"Job":                   {"spec", "template"},
	"ReplicaSet":            {"spec", "template"},
	"ReplicationController": {"spec", "template"},
	"StatefulSet":           {"spec", "template"},
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}

	pods, refused := 0, false
	reader := documents.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := reader.Read()
		if err == io.EOF {
			break
		}
		must(err)
		var manifest unstructured.Unstructured
		must(yaml.UnmarshalStrict(document, &manifest.Object))
		path, hasPod := pathsOfPods[manifest.GetKind()]
		if !hasPod {
			continue
		}
		pods++
		object, _, err := unstructured.NestedMap(manifest.Object, path...)
		must(err)
		// A pod has the same fields, metadata and spec. Like the API server, this converter is case-sensitive.
		var pod corev1.PodTemplateSpec
		must(runtime.DefaultUnstructuredConverter.FromUnstructured(object, &pod))
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				refused = true
				name := manifest.GetKind() + "/" + manifest.GetName()
				fmt.Printf("%s: %s: %s\n", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
	fmt.Printf("Checked %d pods\n", pods)
	// Manifests without a pod are a mistake of the caller.
	if refused || pods == 0 {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pod-security:", err)
		os.Exit(2)
	}
}
