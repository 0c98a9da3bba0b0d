// Tells why a namespace that holds to the Pod Security Standard "restricted" would refuse pods of the manifests on standard
// input, by the very code that the API server admits pods by. Exits with 1 if it would refuse one, with 2 if it can't tell.
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

// Where the kinds that the API server looks at have their pod.
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
		// A pod, too, is metadata and spec. By this converter a runasnonroot is no runAsNonRoot, as by the API server.
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
	// Where there is no pod, something else went wrong.
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
