"""The error that a user's own input can cause anywhere in the product."""


class InputError(ValueError):
    """Input that cannot be used: the message names the file, column, row or parameter, and the remedy.

    Faces turn it into exit code 2 on the command line, a 4xx answer with a JSON body in the API, and an alert on the
    page. Anything else that is raised is a defect of the product.
    """
