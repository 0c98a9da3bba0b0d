package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"log"
	"os/exec"
)

// A file of a module at a version, such as k8s.io/kubernetes@v1.37.2.
func read(module, path string) []byte {
	// It fails, too, when the module wants a newer Go, but then it has the archive, and no more is needed for a file.
	output, _ := exec.Command("go", "mod", "download", "-json", module).Output()
	var download struct{ Zip, Error string }
	must(json.Unmarshal(output, &download))
	if download.Zip == "" {
		log.Fatal(download.Error)
	}
	archive, err := zip.OpenReader(download.Zip)
	must(err)
	defer archive.Close()
	file, err := archive.Open(module + "/" + path)
	must(err)
	text, err := io.ReadAll(file)
	must(err)
	return text
}
