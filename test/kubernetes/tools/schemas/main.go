// Command schemas writes the JSON schemas of the manifests into a folder: the API server's own schemas of the kinds in use,
// reduced, and strict about unknown fields.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// The newest patch of each supported minor version: `go list -m -versions k8s.io/kubernetes`.
var kubernetes = []string{"v1.35.4", "v1.36.3", "v1.37.2"}

var kinds = []kind{
	{"", "v1", "ConfigMap"},
	{"", "v1", "Namespace"},
	{"", "v1", "Secret"},
	{"", "v1", "Service"},
	{"", "v1", "ServiceAccount"},
	{"apps", "v1", "Deployment"},
	{"autoscaling", "v2", "HorizontalPodAutoscaler"},
	{"networking.k8s.io", "v1", "NetworkPolicy"},
	{"policy", "v1", "PodDisruptionBudget"},
}

// Files with the definitions of custom resources. Version v1 of each is used.
var custom = []struct{ module, prefix, names string }{
	{
		"sigs.k8s.io/gateway-api@v1.7.0", "config/crd/standard/gateway.networking.k8s.io_",
		"backendtlspolicies gateways grpcroutes httproutes",
	},
	{
		"github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/monitoring.coreos.com_",
		"podmonitors prometheusrules servicemonitors",
	},
}

type kind struct{ group, version, name string }

type schema = map[string]any

func main() {
	folder := os.Args[1]
	var openAPI struct{ Definitions schema }
	for _, version := range kubernetes {
		module := "k8s.io/kubernetes@" + version
		openAPI.Definitions = nil // Otherwise definitions that a minor version removed would stay.
		must(json.Unmarshal(read(module, "api/openapi-spec/swagger.json"), &openAPI))
		for _, kind := range kinds {
			write(filepath.Join(folder, version), kind, module, find(openAPI.Definitions, kind), openAPI.Definitions)
		}
	}
	// The definitions of custom resources omit the metadata, so it comes from the newest Kubernetes.
	for _, source := range custom {
		for name := range strings.FieldsSeq(source.names) {
			kind, schema := customResource(read(source.module, source.prefix+name+".yaml"))
			write(filepath.Join(folder, "custom"), kind, source.module, schema, openAPI.Definitions)
		}
	}
}

func find(definitions schema, wanted kind) schema {
	for _, definition := range definitions {
		kinds, _ := definition.(schema)["x-kubernetes-group-version-kind"].([]any)
		for _, one := range kinds {
			if one := one.(schema); wanted == (kind{one["group"].(string), one["version"].(string), one["kind"].(string)}) {
				return definition.(schema)
			}
		}
	}
	log.Fatalf("the OpenAPI document has no %v", wanted)
	return nil
}

func customResource(text []byte) (kind, schema) {
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	must(yaml.Unmarshal(text, &definition))
	for _, version := range definition.Spec.Versions {
		if version.Name == "v1" {
			return kind{definition.Spec.Group, "v1", definition.Spec.Names.Kind}, version.Schema.OpenAPIV3Schema
		}
	}
	log.Fatalf("%s has no v1", definition.Spec.Names.Kind)
	return kind{}, nil
}

func write(folder string, kind kind, module string, root, definitions schema) {
	text, err := json.Marshal(standalone(root, module, definitions))
	must(err)
	// kubeconform's names: configmap-v1.json, deployment-apps-v1.json, httproute-gateway-v1.json.
	name := strings.ToLower(kind.name)
	if kind.group != "" {
		name += "-" + strings.Split(kind.group, ".")[0]
	}
	must(os.MkdirAll(folder, 0o755))
	must(os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s.json", name, kind.version)), text, 0o644))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
