package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"log"
	"os/exec"
)

// read returns a file of a module at a version, such as k8s.io/kubernetes@v1.37.2.
func read(module, path string) []byte {
	// An error may only mean that the module needs a newer Go. The archive is enough to read a file.
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
