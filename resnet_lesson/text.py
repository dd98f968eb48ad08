"""Text of users on its way to a picture or a browser."""


def without_surrogates(data):
    """Text with a replacement character for each half of a surrogate pair, which no encoding has.

    Such a text is the name of a file that is not UTF-8, for one. Of lists and dicts, every text in
    them; anything else as it is.
    """
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, dict):
        return {without_surrogates(key): without_surrogates(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [without_surrogates(item) for item in data]
    return data
