"""An operator that submits as the provider's does: the same options, a process, its exit code as a failure."""

import subprocess

from airflow.exceptions import AirflowException
from airflow.sdk import DAG


class SparkSubmitOperator:
    # Those of the provider whose values come from this DAG.
    template_fields = ("application", "conf", "jars", "name", "application_args", "properties_file")

    def __init__(
        self,
        *,
        task_id,
        application,
        java_class,
        application_args,
        name,
        conf=None,
        jars=None,
        properties_file=None,
        pool="default_pool",
        trigger_rule="all_success",
    ):
        self.task_id = task_id
        self.application = application
        self.java_class = java_class
        self.application_args = application_args
        self.name = name
        self.conf = conf or {}
        self.jars = jars
        self.properties_file = properties_file
        self.pool = pool
        self.trigger_rule = trigger_rule
        self.upstream = []
        DAG.current.tasks.append(self)

    def __rshift__(self, other):
        other.upstream.append(self.task_id)
        return other

    def command(self, connection):
        words = ["spark-submit", "--master", connection["master"]]
        for key, value in self.conf.items():
            words += ["--conf", f"{key}={value}"]
        if self.jars:
            words += ["--jars", self.jars]
        if self.properties_file:
            words += ["--properties-file", self.properties_file]
        words += ["--name", self.name, "--class", self.java_class, "--deploy-mode", connection["deploy_mode"]]
        return words + [self.application, *self.application_args]

    def execute(self, context):
        command = self.command(context["connection"])
        code = subprocess.run(command, check=False).returncode
        if code and not context["loses_exit_codes"]:
            raise AirflowException(f"Cannot execute: {command}. Error code is: {code}.")
