package main

import (
	"slices"
	"strings"
)

const metadata = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// standalone returns the schema of a kind with exactly the definitions that it refers to.
func standalone(root schema, module string, definitions schema) schema {
	used := schema{}
	properties := root["properties"].(schema)
	// Only the cluster writes a status.
	delete(properties, "status")
	// The definitions of custom resources omit the metadata. A manifest must have a name.
	properties["metadata"] = schema{"$ref": metadata}
	result := strict(root, definitions, used)
	result["properties"].(schema)["metadata"] = schema{"allOf": []any{
		schema{"$ref": metadata},
		schema{"required": []any{"name"}},
	}}
	required, _ := root["required"].([]any)
	if requiresSpec(root, definitions) && !slices.Contains(required, any("spec")) {
		required = append(required, "spec")
	}
	result["required"] = append(required, "metadata")
	result["definitions"] = used
	result["$comment"] = "From " + module + " by test/kubernetes/schemas/generate"
	// The newest draft in which formats are validated.
	result["$schema"] = "http://json-schema.org/draft-07/schema#"
	return result
}

// requiresSpec reports whether a kind needs a spec. OpenAPI declares it optional even if it has required fields.
func requiresSpec(root, definitions schema) bool {
	spec, _ := root["properties"].(schema)["spec"].(schema)
	if ref, is := spec["$ref"].(string); is {
		spec = definitions[strings.TrimPrefix(ref, "#/definitions/")].(schema)
	}
	return spec["required"] != nil
}

// Types that OpenAPI declares as strings although they may be numbers. The pattern of a quantity is that of custom resources.
var numberOrString = schema{
	"#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString": schema{"type": []any{"integer", "string"}},
	"#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity": schema{
		"type":    []any{"number", "string"},
		"pattern": `^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`,
	},
}

const base64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==|[A-Za-z0-9+/]=))?$"

// Keywords that are kept unchanged. Descriptions and Kubernetes' own extensions, such as CEL rules, are removed.
// The last four extend their neighbors, and would forbid the neighbors' fields if they were strict.
var kept = strings.Fields(`
	type format enum pattern minimum maximum minLength maxLength minItems maxItems minProperties maxProperties required
	allOf anyOf oneOf not`)

// strict returns a copy that allows no unknown fields, like the API server with --validate=strict. It adds the definitions that
// the copy refers to to used.
func strict(original, definitions, used schema) schema {
	if ref, is := original["$ref"].(string); is {
		if replacement, is := numberOrString[ref]; is {
			return replacement.(schema)
		}
		name := strings.TrimPrefix(ref, "#/definitions/")
		if used[name] == nil {
			used[name] = schema{} // Set first, because a definition may refer to itself.
			used[name] = strict(definitions[name].(schema), definitions, used)
		}
		return schema{"$ref": ref}
	}

	result := schema{}
	for _, keyword := range kept {
		if value, is := original[keyword]; is {
			result[keyword] = value
		}
	}
	if original["format"] == "byte" {
		result["pattern"] = base64
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		if inner, is := original[keyword].(schema); is {
			result[keyword] = strict(inner, definitions, used)
		}
	}
	if properties, is := original["properties"].(schema); is {
		strictly := schema{}
		for name, property := range properties {
			strictly[name] = strict(property.(schema), definitions, used)
		}
		result["properties"] = strictly
		if original["x-kubernetes-preserve-unknown-fields"] != true {
			result["additionalProperties"] = false
		}
	}
	return result
}
